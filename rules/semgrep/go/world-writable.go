package sample

import "os"

func store(file *os.File, data []byte) {
	// ruleid: go-world-writable
	file.Chmod(0666)
	// ruleid: go-world-writable
	os.Chmod("/srv/run.sh", 0o777)
	// ok: go-world-writable
	os.WriteFile("/etc/app.conf", data, 0666)
	// ok: go-world-writable
	os.Chmod("/srv/run.sh", 0755)
}
