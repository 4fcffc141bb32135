package sample

import "crypto/tls"

// ruleid: go-tls-verify-off
var open = &tls.Config{InsecureSkipVerify: true}

// ok: go-tls-verify-off
var safe = &tls.Config{MinVersion: tls.VersionTLS12}
