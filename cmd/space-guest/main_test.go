package main

import (
	"bytes"
	"testing"

	"gotest.tools/v3/assert"

	"github.com/docker-space/docker-space/internal/api"
)

func TestVersion(t *testing.T) {
	var out bytes.Buffer
	assert.NilError(t, run([]string{"version"}, &out))
	assert.Equal(t, out.String(), api.Version+"\n")
}

func TestAWrongCallTellsTheSubcommands(t *testing.T) {
	for _, args := range [][]string{nil, {"sever"}, {"serve", "more"}} {
		err := run(args, &bytes.Buffer{})
		assert.ErrorContains(t, err, "usage: space-guest serve|dial|run|version")
	}
}
