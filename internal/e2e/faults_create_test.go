package e2e

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"

	"gotest.tools/v3/assert"
	is "gotest.tools/v3/assert/cmp"
	"gotest.tools/v3/poll"

	"github.com/docker-space/docker-space/internal/api"
)

// created asks for a space over plain JSON, where the status tells.
func (in *instance) created(t *testing.T, body string, header http.Header) (answer, api.Error) {
	t.Helper()
	got := ask(t, in.onSocket(t), "POST", "http://spaced/api/spaces", body, header)
	var e api.Error
	assert.NilError(t, json.Unmarshal([]byte(got.body), &e), got.body)
	return got, e
}

// What a create refuses must be refused with the rule, and leave nothing.
func TestACreateRefusesWhatItMust(t *testing.T) {
	in := needRoad(t)
	long, secret := strings.Repeat("a", 64), strings.Repeat("x", 257<<10)
	for _, tc := range []struct {
		body   string
		status int
		code   api.Code
		field  string
		says   string
	}{
		{`{"name":"../x"}`, 400, api.CodeInvalid, "name", "letters"},
		{`{"name":"` + long + `"}`, 400, api.CodeInvalid, "name", "63"},
		{`{"name":"-x"}`, 400, api.CodeInvalid, "name", "letters"},
		{`{"name":".x"}`, 400, api.CodeInvalid, "name", "letters"},
		{`{"name":"refused","memory":"0"}`, 400, api.CodeInvalid, "memory", "from 32MiB to"},
		{`{"name":"refused","memory":-1}`, 400, api.CodeInvalid, "memory", "from 32MiB to"},
		{`{"name":"refused","memory":"2x"}`, 400, api.CodeInvalid, "memory", "from 32MiB to"},
		{`{"name":"refused","memory":"100000g"}`, 400, api.CodeInvalid, "memory", "from 32MiB to"},
		{`{"name":"refused","cpus":0}`, 400, api.CodeInvalid, "cpus", "from 0.01 to"},
		{`{"name":"refused","cpus":"NaN"}`, 400, api.CodeInvalid, "cpus", "from 0.01 to"},
		{`{"name":"refused","cpus":100000}`, 400, api.CodeInvalid, "cpus", "from 0.01 to"},
		{`{"name":"refused","image":"UPPER case"}`, 400, api.CodeInvalid, "image", "UPPER case"},
		{`{"name":"refused","image":"no.such.registry.invalid/image"}`, 404, api.CodeImageNotFound, "", "docker pull no.such.registry.invalid/image"},
		{`{"name":"refused","template":"none-such"}`, 404, api.CodeTemplateNotFound, "template", "none-such"},
		{`{"name":"refused","template":"../../x"}`, 400, api.CodeInvalid, "template", "template"},
		{`{"name":"refused","env":{"A=B":"1"}}`, 400, api.CodeInvalid, "env", "A=B"},
		{`{"name":"refused","env":{"A":"\u0000"}}`, 400, api.CodeInvalid, "env", "NUL"},
		{`{"name":"refused","env":{"A":"` + secret + `"}}`, 413, api.CodeTooLarge, "env", "262144"},
	} {
		got, e := in.created(t, tc.body, nil)
		name := tc.body[:min(60, len(tc.body))] + ": " + got.body
		assert.Check(t, is.Equal(got.status, tc.status), name)
		assert.Check(t, is.Equal(e.Code, tc.code), name)
		assert.Check(t, is.Equal(e.Field, tc.field), name)
		assert.Check(t, is.Contains(e.Message, tc.says), name)
		assert.Check(t, !strings.Contains(got.body, secret), "an environment's value is in the answer")
	}
	assert.Equal(t, len(in.labelled(volumes, "--filter", "label=io.github.docker-space.name=refused")), 0)
}

// One name is one space, also in another case, and a repeated key one create.
func TestADuplicateConflictsAndARepeatedKeyDoesNot(t *testing.T) {
	in := needRoad(t)
	in.tidy(t, "once")
	key := http.Header{"Idempotency-Key": {t.Name()}}
	var first, again api.SpaceBody
	got, _ := in.created(t, `{"name":"once"}`, key)
	assert.Equal(t, got.status, 201, got.body)
	assert.NilError(t, json.Unmarshal([]byte(got.body), &first))
	got, _ = in.created(t, `{"name":"once"}`, key)
	assert.Equal(t, got.status, 201, got.body)
	assert.NilError(t, json.Unmarshal([]byte(got.body), &again))
	assert.Equal(t, first.Space.ID, again.Space.ID)

	got, e := in.created(t, `{"name":"other"}`, key)
	assert.Equal(t, got.status, 409, got.body)
	assert.Equal(t, e.Code, api.CodeConflict)
	got, e = in.created(t, `{"name":"once"}`, nil)
	assert.Equal(t, got.status, 409, got.body)
	assert.Equal(t, e.Code, api.CodeSpaceExists)
	got, e = in.created(t, `{"name":"ONCE"}`, nil)
	assert.Equal(t, got.status, 400, got.body)
	assert.Equal(t, e.Field, "name")
}

func TestAHundredCreatorsOfOneNameMakeOneSpace(t *testing.T) {
	in := needRoad(t)
	in.tidy(t, "crowd")
	statuses := make([]int, 100)
	var wg sync.WaitGroup
	for i := range statuses {
		wg.Go(func() {
			got, _ := in.created(t, `{"name":"crowd"}`, nil)
			statuses[i] = got.status
		})
	}
	wg.Wait()
	count := map[int]int{}
	for _, s := range statuses {
		count[s]++
	}
	assert.DeepEqual(t, count, map[int]int{201: 1, 409: 99})
	assert.Equal(t, len(in.labelled(containers, "--filter", "label=io.github.docker-space.name=crowd")), 1)
}

// Creators and destroyers of one name must never leave half a space. The rules
// alone go a thousand rounds in internal/space.
func TestCreateAndDestroyRace(t *testing.T) {
	in := needRoad(t)
	c := in.api(t)
	in.tidy(t, "race")
	const rounds, racers = 50, 2
	allowed := map[int]bool{200: true, 201: true, 404: true, 409: true}
	for range rounds {
		var wg sync.WaitGroup
		for range racers {
			wg.Go(func() {
				got, _ := in.created(t, `{"name":"race"}`, nil)
				assert.Check(t, allowed[got.status], got.body)
			})
			wg.Go(func() {
				got := ask(t, in.onSocket(t), "DELETE", "http://spaced/api/spaces/race?removeVolume=true", "", nil)
				assert.Check(t, allowed[got.status], got.body)
			})
		}
		wg.Wait()
	}
	_, _ = c.Delete(t.Context(), "race", true)
	poll.WaitOn(t, nothingOf(in, "race"), poll.WithTimeout(pollLimit))
	_, err := c.Get(t.Context(), "race")
	refused(t, err, 404, api.CodeSpaceNotFound, "race")
}
