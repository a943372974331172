package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/docker/cli/templates"
)

// writeFormatted prints v as JSON or by a template.
func writeFormatted(out io.Writer, format string, v any) error {
	if format == "json" {
		return json.NewEncoder(out).Encode(v)
	}
	tmpl, err := templates.Parse(strings.NewReplacer(`\t`, "\t", `\n`, "\n").Replace(format))
	if err != nil {
		return fmt.Errorf("template parsing error: %w", err)
	}
	if err := tmpl.Execute(out, v); err != nil {
		return fmt.Errorf("template parsing error: %w", err)
	}
	_, err = fmt.Fprintln(out)
	return err
}

// writeFields prints label and value pairs, the values in one column; pairs
// without a value are left out.
func writeFields(out io.Writer, indent string, fields [][2]string) {
	width := 0
	for _, f := range fields {
		width = max(width, len(f[0]))
	}
	for _, f := range fields {
		if f[1] != "" {
			fmt.Fprintf(out, "%s%-*s  %s\n", indent, width+1, f[0]+":", f[1])
		}
	}
}
