package probe

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"acyclic/integration/nodes"
)

// TestAskerWritesWhatItMeasures: each line that it writes can be read again.
func TestAskerWritesWhatItMeasures(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	calls := make(chan bool, 100)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Write([]byte(`{"result": 7, "error": null}`))
		if calls <- true; len(calls) == 6 {
			cancel()
		}
	}))
	defer server.Close()
	var out strings.Builder
	begun := time.Now()
	ask(ctx, nodes.RPC{Addr: strings.TrimPrefix(server.URL, "http://")}, &out)
	got := Delays(parseAsks(out.String()), begun.Add(-time.Second), time.Now())
	if len(got) != 2 || got[0].Asked+got[1].Asked < 6 || got[0].Median <= 0 || got[0].Failed+got[1].Failed > 2 {
		t.Errorf("%+v from\n%s", got, out.String())
	}
}

// TestALongAnswerCountsForThoseBehindIt: one stall of a second among answers of
// a millisecond is not one question in a hundred.
func TestALongAnswerCountsForThoseBehindIt(t *testing.T) {
	begun := time.Unix(1_700_000_000, 0)
	var asks []Ask
	for i := range 100 {
		asks = append(asks, Ask{Method: asked[0], At: begun.Add(time.Duration(i) * askEvery), Took: time.Millisecond, OK: true})
	}
	if d := Delays(asks, begun, begun.Add(time.Hour)); len(d) != 1 || d[0].P99 != 0.001 || d[0].Failed != 0 {
		t.Errorf("without a stall: %+v", d)
	}
	asks[50].Took, asks[50].OK = time.Second, false
	d := Delays(asks, begun, begun.Add(time.Hour))[0]
	if d.P99 < 0.9 || d.Most != 1 || d.Median != 0.001 || d.Failed != 1 {
		t.Errorf("with a stall: %+v", d)
	}
	if d := Delays(asks, begun.Add(time.Hour), begun.Add(2*time.Hour)); d != nil {
		t.Errorf("another time: %+v", d)
	}
}
