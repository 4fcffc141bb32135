package sample

import "golang.org/x/crypto/ssh"

func connect(key ssh.PublicKey) {
	// ruleid: go-ssh-host-key-ignored
	open := &ssh.ClientConfig{HostKeyCallback: ssh.InsecureIgnoreHostKey()}
	// ruleid: go-ssh-host-key-ignored
	also := &ssh.ClientConfig{HostKeyCallback: func(host string, remote net.Addr, key ssh.PublicKey) error { return nil }}
	// ok: go-ssh-host-key-ignored
	safe := &ssh.ClientConfig{HostKeyCallback: ssh.FixedHostKey(key)}
	// ok: go-ssh-host-key-ignored
	checked := &ssh.ClientConfig{HostKeyCallback: func(host string, remote net.Addr, key ssh.PublicKey) error { return check(key) }}
}
