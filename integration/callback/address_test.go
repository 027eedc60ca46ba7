package callback

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestCheckURL(t *testing.T) {
	t.Parallel()
	for _, ok := range []string{
		"https://shop.example/fiscal", "http://shop.example", "https://shop.example:8443/a?b=c#d", "https://8.8.8.8/cb",
		"https://[2a00:1450:4010:c05::64]:443/", "https://магазин.рф/чек", "HTTPS://SHOP.EXAMPLE/", "https://shop.example./",
		"https://10.example/", "https://shop/", "https://x.co/" + strings.Repeat("a", MaxURL-len("https://x.co/")),
	} {
		assert.NoError(t, CheckURL(ok, false), ok)
	}
	for _, tt := range []struct{ url, rule string }{
		{"", RuleBadURL},
		{"shop.example/fiscal", RuleBadURL},
		{"/fiscal", RuleBadURL},
		{"//shop.example/fiscal", RuleBadURL},
		{"ftp://shop.example/", RuleBadURL},
		{"file:///etc/passwd", RuleBadURL},
		{"https:shop.example", RuleBadURL},
		{"https://", RuleBadURL},
		{"https:///path", RuleBadURL},
		{"https://:443/", RuleBadURL},
		{"https://user@shop.example/", RuleBadURL},
		{"https://user:secret@shop.example/", RuleBadURL},
		{"https://shop.example:0/", RuleBadURL},
		{"https://shop.example:65536/", RuleBadURL},
		{"https://shop.example:x/", RuleBadURL},
		{"https://shop.example/a b", RuleBadURL},
		{"https://shop.example/\n", RuleBadURL},
		{"https://shop.example/%zz", RuleBadURL},
		{"https://127.1/", RuleBadURL},
		{"https://2130706433/", RuleBadURL},
		{"https://0x7f000001/", RuleBadURL},
		{"https://0x7f.0.0.0x1/", RuleBadURL},
		{"https://017700000001/", RuleBadURL},
		{"https://1.2.3.4.5/", RuleBadURL},
		{"https://010.0.0.1/", RuleBadURL},
		{"https://x.co/" + strings.Repeat("a", MaxURL), RuleBadURL},
		{"http://127.0.0.1/", RulePrivateTarget},
		{"http://127.0.0.1./", RulePrivateTarget},
		{"http://10.1.2.3:8080/", RulePrivateTarget},
		{"http://172.16.0.1/", RulePrivateTarget},
		{"http://192.168.1.1/", RulePrivateTarget},
		{"http://169.254.169.254/latest/meta-data", RulePrivateTarget},
		{"http://0.0.0.0/", RulePrivateTarget},
		{"http://[::1]/", RulePrivateTarget},
		{"http://[fe80::1%25eth0]/", RulePrivateTarget},
		{"http://[fd00::1]/", RulePrivateTarget},
		{"http://[::ffff:10.0.0.1]/", RulePrivateTarget},
		{"http://localhost:9000/", RulePrivateTarget},
		{"http://LOCALHOST./", RulePrivateTarget},
		{"http://a.localhost/", RulePrivateTarget},
	} {
		err := CheckURL(tt.url, false)
		var bad *AddressError
		if assert.ErrorAs(t, err, &bad, tt.url) {
			assert.Equal(t, tt.rule, bad.Rule, tt.url)
			assert.NotEmpty(t, bad.Error())
		}
		if tt.rule == RulePrivateTarget {
			assert.NoError(t, CheckURL(tt.url, true), tt.url)
		} else {
			assert.Error(t, CheckURL(tt.url, true), tt.url)
		}
	}
}

func TestPublic(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"8.8.8.8", "77.88.55.242", "172.15.255.255", "172.32.0.0", "100.63.255.255", "100.128.0.0",
		"2a02:6b8::2:242", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"} {
		assert.True(t, Public(netip.MustParseAddr(s)), s)
	}
	for _, s := range []string{"0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "127.0.0.1", "127.255.255.255", "169.254.169.254",
		"172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.2.1", "192.168.0.1", "198.18.0.1", "198.51.100.1", "203.0.113.1",
		"224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "::", "::1", "fe80::1", "fc00::1", "fdff::1", "ff02::1",
		"2001:db8::1", "2001::1", "3fff::1", "64:ff9b::a00:1", "64:ff9b:1::1", "2002:a00:1::1", "2002:7f00:1::", "::ffff:127.0.0.1", "::ffff:169.254.1.1",
		"::7f00:1", "fe80::1%eth0", "fec0::1"} {
		assert.False(t, Public(netip.MustParseAddr(s)), s)
	}
	assert.False(t, Public(netip.Addr{}))
}
