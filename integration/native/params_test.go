package native

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestCheckParams(t *testing.T) {
	t.Parallel()
	for _, ok := range [][2]string{
		{"shop", "f3642fb38e"},
		{"mpos-vseinstrumenti-test.ru-7e8f7159e40e", "12345678"},
		{strings.Repeat("a", 128), strings.Repeat("!", 256)},
		{"a", "with:colon~"},
	} {
		assert.Empty(t, CheckParams(ok[0], ok[1]), ok)
	}
	for _, tt := range []struct {
		param1, param2 string
		want           []string
	}{
		{"", "", []string{"param1 required", "param2 too_small"}},
		{"a:b", "1234567", []string{"param1 bad_format", "param2 too_small"}},
		{"a b", "1234 5678", []string{"param1 bad_format", "param2 bad_format"}},
		{"магазин", "пароль-пароль", []string{"param1 bad_format", "param2 bad_format"}},
		{"a\x7f", "12345678\n", []string{"param1 bad_format", "param2 bad_format"}},
		{strings.Repeat("a", 129), strings.Repeat("a", 257), []string{"param1 too_long", "param2 too_long"}},
	} {
		var got []string
		for _, e := range CheckParams(tt.param1, tt.param2) {
			got = append(got, e.Path+" "+e.Code)
			assert.NotContains(t, e.Message, "1234567", "a secret is never repeated")
		}
		assert.Equal(t, tt.want, got)
	}
}
