package sample

import "crypto/tls"

// ruleid: go-tls-verify-off
var open = &tls.Config{InsecureSkipVerify: true}

// ok: go-tls-verify-off
var safe = &tls.Config{MinVersion: tls.VersionTLS12}

func change(config *tls.Config, skip bool) {
	// ruleid: go-tls-verify-off
	config.InsecureSkipVerify = true
	// ok: go-tls-verify-off
	config.InsecureSkipVerify = skip
	// ok: go-tls-verify-off
	config = &tls.Config{InsecureSkipVerify: true, VerifyConnection: check}
}
