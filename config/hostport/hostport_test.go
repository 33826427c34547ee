package hostport

import "testing"

func TestParse(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"1.2.3.4", "1.2.3.4:18333"},
		{"1.2.3.4:5", "1.2.3.4:5"},
		{"::1", "[::1]:18333"},
		{"[::1]", "[::1]:18333"},
		{"[::1]:5", "[::1]:5"},
		{"[2001:DB8:0::1]:5", "[2001:db8::1]:5"},
		{"::ffff:1.2.3.4", "1.2.3.4:18333"},
		{"Node.Example:5", "node.example:5"},
		{"localhost", "localhost:18333"},
		{"a_b.example.", "a_b.example.:18333"},

		{"", ""}, {":", ""}, {":5", ""}, {"host:", ""}, {"host:0", ""}, {"host:65536", ""}, {"host:-1", ""},
		{"host:x", ""}, {"[::1", ""}, {"[::1]5", ""}, {"[::1]:", ""}, {"[host]:5", ""}, {"[1.2.3.4]:5", ""},
		{"1.2.3", ""}, {"1.2.3.4.5", ""}, {"300.1.1.1", ""}, {"a b", ""}, {"a..b", ""}, {"a\nb", ""}, {"1:2:3", ""},
	} {
		got, ok := Parse(c.in, 18333)
		if ok != (c.want != "") || ok && got.String() != c.want {
			t.Errorf("%q is %v %v, want %q", c.in, got, ok, c.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"1.2.3.4:5", "[::1]:5", "host", "[fe80::1%eth0]:1", "host:5", "]["} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, ok := Parse(s, 18333)
		if !ok {
			return
		}
		again, ok := Parse(got.String(), 1)
		if !ok || again != got {
			t.Fatalf("%q is %v, which is %v (%v)", s, got, again, ok)
		}
	})
}

func TestParseListen(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{":5", ":5"},
		{"127.0.0.1", "127.0.0.1:18333"},
		{"0.0.0.0:07", "0.0.0.0:7"},
		{"localhost:5", "localhost:5"},
		{"::", "[::]:18333"},
		{"[::1]:5", "[::1]:5"},

		{"", ""}, {":", ""}, {":0", ""}, {":x", ""}, {"node.example", ""}, {"127.0.0.1:http", ""}, {"1:2:3", ""},
	} {
		got, ok := ParseListen(c.in, 18333)
		if ok != (c.want != "") || ok && got.String() != c.want {
			t.Errorf("%q is %v %v, want %q", c.in, got, ok, c.want)
		}
	}
}
