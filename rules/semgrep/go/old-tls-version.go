package sample

import "crypto/tls"

// ruleid: go-old-tls-version
var old = &tls.Config{MinVersion: tls.VersionTLS10}

// ok: go-old-tls-version
var safe = &tls.Config{MinVersion: tls.VersionTLS12, MaxVersion: tls.VersionTLS13}

func change(config *tls.Config, name string) bool {
	// ruleid: go-old-tls-version
	config.MinVersion = tls.VersionTLS11
	// ok: go-old-tls-version
	return config.MinVersion == tls.VersionTLS10
}
