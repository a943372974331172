package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
)

// Text is a quantity that clients send as a JSON string or number ("2g", 1.5).
// It keeps the digits as they came; spec gives them their meaning.
type Text string

// UnmarshalJSON takes a string or a number.
func (t *Text) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		return json.Unmarshal(b, (*string)(t))
	}
	if string(b) == "null" {
		return nil
	}
	var n json.Number
	if err := json.Unmarshal(b, &n); err != nil {
		return errors.New("expected a string or a number")
	}
	*t = Text(n.String())
	return nil
}

// Command is a command line: a JSON string, run by `sh -c`, or an array of
// arguments, run as it is.
type Command struct {
	// Shell is the line when the client sent a string.
	Shell string
	// Argv is the vector when the client sent an array.
	Argv []string
}

// Args gives the argument vector that runs c, or an error naming what is
// missing.
func (c Command) Args() ([]string, error) {
	switch {
	case len(c.Argv) > 0 && c.Argv[0] != "":
		return c.Argv, nil
	case strings.TrimSpace(c.Shell) != "":
		return []string{"sh", "-c", c.Shell}, nil
	}
	return nil, errors.New(`command is empty: give a string for "sh -c" or an array of arguments`)
}

// MarshalJSON writes the form that c was given in.
func (c Command) MarshalJSON() ([]byte, error) {
	if c.Argv != nil {
		return json.Marshal(c.Argv)
	}
	return json.Marshal(c.Shell)
}

// UnmarshalJSON takes a string or an array of strings.
func (c *Command) UnmarshalJSON(b []byte) error {
	*c = Command{}
	if b = bytes.TrimSpace(b); len(b) > 0 && b[0] == '[' {
		return json.Unmarshal(b, &c.Argv)
	}
	if err := json.Unmarshal(b, &c.Shell); err != nil {
		return errors.New("command must be a string or an array of strings")
	}
	return nil
}
