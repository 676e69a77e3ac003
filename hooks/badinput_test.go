package hooks_test

import (
	"strings"
	"testing"

	"github.com/pocketbase/dbx"

	"gatehouse/hooks/gatetest"
	"gatehouse/hooks/workflow"
)

// Bad input is refused with line and column, and nothing of it is saved: neither
// as a draft nor published.
func TestImport_savesNothingOfBadInput(t *testing.T) {
	s := gatetest.New(t)
	source, err := workflow.LibraryFile("simple-request.yaml")
	if err != nil {
		t.Fatal(err)
	}
	good := string(source)
	count := func() (n int) {
		if err := s.TestApp.DB().NewQuery("SELECT COUNT(*) FROM workflows").Bind(dbx.Params{}).Row(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := count()
	for name, bad := range map[string]string{
		"nothing":             "",
		"no YAML":             "a: [",
		"an unknown key":      strings.Replace(good, "initial:", "initail:", 1),
		"a key given twice":   strings.Replace(good, "version: 1", "version: 1\nversion: 2", 1),
		"a wrong type":        strings.Replace(good, "version: 1", "version: first", 1),
		"UTF-16":              "\xff\xfes\x00c\x00",
		"two documents":       good + "---\n" + good,
		"five megabytes":      good + strings.Repeat("# more\n", 5<<20/7),
		"an unfolding bomb":   "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n",
		"a hidden character":  strings.Replace(good, "title: Request", "title: Req\u200buest", 1),
		"a published version": strings.Replace(good, "label: Approve,", "label: Wave through,", 1),
	} {
		for _, publish := range []bool{false, true} {
			out, err := s.House.Engine.Import(s.TestApp, []byte(bad), publish, false)
			if err != nil {
				t.Fatal(name, err)
			}
			if out.OK() || out.Saved {
				t.Errorf("%s was taken: %+v", name, out)
			}
			for _, f := range out.Findings {
				if f.Line < 1 || f.Column < 1 {
					t.Errorf("%s: nowhere: %+v", name, f)
				}
			}
			if now := count(); now != before {
				t.Errorf("%s: %d rows, before %d", name, now, before)
			}
		}
	}
}
