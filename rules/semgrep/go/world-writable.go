package sample

import "os"

func store(data []byte) {
	// ruleid: go-world-writable
	os.WriteFile("/etc/app.conf", data, 0666)
	// ruleid: go-world-writable
	os.Chmod("/srv/run.sh", 0o777)
	// ok: go-world-writable
	os.WriteFile("/etc/app.conf", data, 0o644)
	// ok: go-world-writable
	os.Chmod("/srv/run.sh", 0755)
}
