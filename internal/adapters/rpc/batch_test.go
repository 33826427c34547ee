package rpc

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	"acyclic/chain"
)

// repeated is an array of n times the same.
func repeated(item string, n int) string {
	return "[" + strings.Repeat(item+",", n-1) + item + "]"
}

// L4: a request holds a bounded number of things; what has more is refused as a
// whole, in one reply, and none of its calls is carried out.
func TestL4RequestsAreBounded(t *testing.T) {
	r := newRig(t, 1, Config{Bounds: Bounds{MaxBatch: 3}})
	var fields []string
	for i := range maxMembers + 1 {
		fields = append(fields, fmt.Sprintf(`"%d":1`, i))
	}
	object := "{" + strings.Join(fields, ",") + "}"
	for _, c := range []struct {
		why, body string
		status    int
		want      string
	}{
		{"as many calls as allowed", repeated(`{"jsonrpc":"2.0","id":1,"method":"uptime"}`, 3), 200,
			repeated(`{"jsonrpc":"2.0","result":90,"id":1}`, 3)},
		{"one call too many", repeated(`{"jsonrpc":"2.0","id":1,"method":"stop"}`, 4), 400,
			`{"result":null,"error":{"code":-32600,"message":"A batch of more than 3 requests"},"id":null}`},
		{"too many that are no calls", repeated("1", 4), 400,
			`{"result":null,"error":{"code":-32600,"message":"A batch of more than 3 requests"},"id":null}`},
		{"too many fields", object, 400,
			`{"result":null,"error":{"code":-32600,"message":"A request of more than 100 fields"},"id":null}`},
		{"too many arguments", `{"id":1,"method":"stop","params":` + repeated("1", maxMembers+1) + `}`, 400,
			`{"result":null,"error":{"code":-32600,"message":"More than 100 params"},"id":1}`},
		{"too many named arguments", `{"id":1,"method":"stop","params":` + object + `}`, 400,
			`{"result":null,"error":{"code":-32600,"message":"More than 100 params"},"id":1}`},
		{"too many by position among the named", `{"id":1,"method":"getblockhash","params":{"args":[1,2]}}`, 500,
			`{"result":null,"error":{"code":-8,"message":"Parameter args must be an array of at most 1"},"id":1}`},
	} {
		if status, got := r.post(c.body); status != c.status || got != c.want+"\n" {
			t.Errorf("%s:\n got %d %s\nwant %d %s", c.why, status, got, c.status, c.want)
		}
	}
	if len(r.stopped) > 0 {
		t.Error("a call of a refused request was carried out")
	}
}

// L4: when the replies to a batch are full, each further call fails by itself,
// for clients look for a reply to each of their ids; calls that want no reply
// are carried out.
func TestL4RepliesAreBounded(t *testing.T) {
	r := newRig(t, 1, Config{Bounds: Bounds{MaxReply: 1000}})
	on(r.f, func(q chain.GetBlock) (chain.Block, error) {
		return chain.Block{Hash: q.Hash, Height: 170, Payload: make([]byte, 1000)}, nil
	})
	block := func(id int) string {
		return fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"getblock","params":["%v",0]}`, id, best.BlockHash())
	}
	batch := strings.Join([]string{
		`{"jsonrpc":"2.0","id":1,"method":"uptime"}`, block(2), block(3), `{"id":"four","method":"uptime"}`,
		`{"jsonrpc":"2.0","method":"stop"}`, `5`,
	}, ",")
	status, got := r.post("[" + batch + "]")
	const full = "not carried out: the replies of this batch have reached 1000 bytes; ask for less at a time"
	want := `[{"jsonrpc":"2.0","result":90,"id":1},{"jsonrpc":"2.0","result":"` + strings.Repeat("00", 1000) + `","id":2},` +
		`{"jsonrpc":"2.0","error":{"code":-1,"message":"` + full + `"},"id":3},` +
		`{"result":null,"error":{"code":-1,"message":"` + full + `"},"id":"four"},` +
		`{"result":null,"error":{"code":-32600,"message":"Invalid Request object"},"id":null}]` + "\n"
	if status != 200 || got != want {
		t.Errorf("got %d %s\nwant %s", status, got, want)
	}
	if len(r.stopped) != 1 {
		t.Error("a call that wants no reply was not carried out")
	}
}

// L4: what a request makes the node allocate is in proportion to its length and
// to what is replied, whatever it consists of.
func TestL4RequestsCostWhatTheyWeigh(t *testing.T) {
	const size, factor = 2 << 20, 16
	for why, c := range map[string]struct{ item, around string }{
		"a batch of numbers": {"1", "%s"},
		"a batch of calls":   {`{"method":"help"}`, "%s"},
		"arguments":          {"1", `{"method":"help","params":%s}`},
		"named arguments":    {"1", `{"method":"help","params":{"args":%s}}`},
		"an id":              {"1", `{"method":"help","id":%s}`},
	} {
		body := fmt.Appendf(nil, c.around, repeated(c.item, size/(len(c.item)+1)))
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, answer := answerBody(context.Background(), body, DefaultBounds().MaxBatch, DefaultBounds().MaxReply, (&call{Node: &Node{}}).execute)
		runtime.ReadMemStats(&after)
		if cost := after.TotalAlloc - before.TotalAlloc; cost > factor*size || !json.Valid(answer) {
			t.Errorf("%s: %d MiB for a request of %d MiB and a reply of %d MiB", why, cost>>20, size>>20, len(answer)>>20)
		}
	}
}

// No call is carried out once the replies have as many bytes as a batch may have.
func TestABatchEndsWithItsBytes(t *testing.T) {
	const reply = `"a reply"`
	batch := slices.Repeat([]json.RawMessage{[]byte(`{"id":1,"method":"x"}`)}, 4)
	for full, want := range map[int]int{len(reply): 1, len(reply) + 1: 2} {
		done := 0
		_, answer := answerBatch(context.Background(), batch, full, func(*request) ([]byte, error) {
			done++
			return []byte(reply), nil
		})
		if done != want || strings.Count(string(answer), "not carried out") != len(batch)-want {
			t.Errorf("up to %d bytes %d calls are carried out, want %d: %s", full, done, want, answer)
		}
	}
}

// The calls of a client that has gone are not carried out.
func TestABatchEndsWithItsClient(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	batch := slices.Repeat([]json.RawMessage{[]byte(`{"id":1,"method":"x"}`)}, 3)
	done := 0
	answerBatch(ctx, batch, 1000, func(*request) ([]byte, error) {
		done++
		cancel()
		return []byte("1"), nil
	})
	if done != 1 {
		t.Errorf("%d calls are carried out, want the one under way", done)
	}
}
