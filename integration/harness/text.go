package harness

import "strconv"

func itoa(n int32) string { return strconv.Itoa(int(n)) }

func errText(err error) string {
	if err == nil {
		return "no error"
	}
	return err.Error()
}
