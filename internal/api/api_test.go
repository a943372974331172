package api_test

import (
	"encoding/json"
	"testing"

	"gotest.tools/v3/assert"

	"github.com/docker-space/docker-space/internal/api"
)

func TestTextTakesStringsAndNumbers(t *testing.T) {
	for in, want := range map[string]api.Text{`"2g"`: "2g", `1024`: "1024", `0.5`: "0.5", `null`: ""} {
		var got api.Text
		assert.NilError(t, json.Unmarshal([]byte(in), &got), in)
		assert.Equal(t, got, want)
	}
	var got api.Text
	assert.ErrorContains(t, json.Unmarshal([]byte(`[1]`), &got), "string or a number")
}

func TestCommandForms(t *testing.T) {
	for in, want := range map[string][]string{
		`"echo hi"`:           {"sh", "-c", "echo hi"},
		`["echo","hi there"]`: {"echo", "hi there"},
		` [ "true" ] `:        {"true"},
		`["printf","",""]`:    {"printf", "", ""},
	} {
		var c api.Command
		assert.NilError(t, json.Unmarshal([]byte(in), &c), in)
		got, err := c.Args()
		assert.NilError(t, err, in)
		assert.DeepEqual(t, got, want)
		again, err := json.Marshal(c)
		assert.NilError(t, err)
		var back api.Command
		assert.NilError(t, json.Unmarshal(again, &back))
		assert.DeepEqual(t, back, c)
	}
	for _, in := range []string{`""`, `"  "`, `[]`, `[""]`} {
		var c api.Command
		assert.NilError(t, json.Unmarshal([]byte(in), &c), in)
		_, err := c.Args()
		assert.ErrorContains(t, err, "command is empty", in)
	}
	for _, in := range []string{`1`, `{}`, `[1]`, `["a",null,{}]`} {
		var c api.Command
		assert.Assert(t, json.Unmarshal([]byte(in), &c) != nil, in)
	}
}

// The original's bash client takes a body with a key "name" for a found space.
func TestErrorsHaveNoNameKey(t *testing.T) {
	b, err := json.Marshal(&api.Error{Message: "m", Code: api.CodeInvalid, Field: "name", Status: 400})
	assert.NilError(t, err)
	assert.Equal(t, string(b), `{"error":"m","code":"invalid_request","field":"name"}`)
}

func FuzzFrame(f *testing.F) {
	f.Add([]byte{0, 'a'})
	f.Add([]byte{})
	f.Add([]byte{3})
	f.Fuzz(func(t *testing.T, frame []byte) {
		id, data, err := api.DecodeFrame(frame)
		if err != nil {
			return
		}
		assert.DeepEqual(t, api.AppendFrame(nil, id, data), frame)
	})
}
