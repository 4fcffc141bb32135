package sample

import (
	"fmt"
	"os/exec"
)

func archive(name string) {
	// ruleid: go-shell-injection
	exec.Command("sh", "-c", fmt.Sprintf("tar cf %s.tar %s", name, name)).Run()
	// ruleid: go-shell-injection
	exec.Command("/bin/bash", "-c", "ls "+name).Run()
	// ok: go-shell-injection
	exec.Command("tar", "cf", name+".tar", name).Run()
	// ok: go-shell-injection
	exec.Command("sh", "-c", "ls | wc -l").Run()
}
