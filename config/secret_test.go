package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// Every way in which a program writes a value, on the secret itself and on what holds it.
func TestSecretNeverShows(t *testing.T) {
	t.Parallel()
	const text = "c0ffee"
	s := NewSecret(text)
	token := Token{Name: "grafana", Role: RoleViewer, SHA256: s}
	c := Config{Tokens: []Token{token}}

	outputs := map[string]string{}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%10s"} {
		for name, v := range map[string]any{"secret": s, "pointer": &s, "token": token, "tokens": c.Tokens, "config": c, "config pointer": &c} {
			outputs[verb+" of "+name] = fmt.Sprintf(verb, v)
		}
	}
	outputs["Sprint"] = fmt.Sprint(s, token)
	outputs["error"] = fmt.Errorf("bad token %v", token).Error()
	for name, v := range map[string]any{"secret": s, "config": c, "map key": map[Secret]int{s: 1}} {
		b, err := json.Marshal(v)
		require.NoError(t, err)
		outputs["JSON of "+name] = string(b)
		b, err = yaml.Marshal(v)
		require.NoError(t, err)
		outputs["YAML of "+name] = string(b)
		var text, jsn bytes.Buffer
		slog.New(slog.NewTextHandler(&text, nil)).Info("m", "v", v)
		slog.New(slog.NewJSONHandler(&jsn, nil)).Info("m", "v", v)
		outputs["slog text of "+name], outputs["slog JSON of "+name] = text.String(), jsn.String()
	}
	for how, out := range outputs {
		require.NotContains(t, out, text, how)
		require.NotContains(t, out, fmt.Sprintf("%x", text), how)
		require.NotContains(t, out, fmt.Sprintf("%X", text), how)
	}
	require.Equal(t, "***", fmt.Sprint(s))
	require.Equal(t, `{grafana viewer ***}`, fmt.Sprint(token))
	require.Equal(t, text, s.Reveal())
	require.Empty(t, NewSecret("").String(), "a person sees that it is not set")
}
