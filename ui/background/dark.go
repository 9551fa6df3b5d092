package background

import (
	"strconv"
	"strings"
)

// Dark reads an answer to OSC 11, such as "]11;rgb:1e1e/1e1e/2e2e" with its end,
// and reports whether that colour is dark; false, false for any other answer.
func Dark(answer string) (dark, ok bool) {
	spec, ok := strings.CutPrefix(answer, "]11;")
	if !ok {
		return false, false
	}
	spec = strings.TrimRight(spec, "\a\x1b\\")
	kind, digits, ok := strings.Cut(spec, ":")
	if !ok || kind != "rgb" && kind != "rgba" {
		return false, false
	}
	parts := strings.Split(digits, "/")
	if len(parts) < 3 {
		return false, false
	}
	var rgb [3]float64
	for i := range rgb {
		n, err := strconv.ParseUint(parts[i], 16, 16)
		if err != nil {
			return false, false
		}
		rgb[i] = float64(n) / float64(uint64(1)<<(4*len(parts[i]))-1)
	}
	// Luma of ITU-R BT.601, as of the values that are sent: whether dark or light
	// letters read better, not how bright it is.
	return 0.299*rgb[0]+0.587*rgb[1]+0.114*rgb[2] < 0.5, true
}
