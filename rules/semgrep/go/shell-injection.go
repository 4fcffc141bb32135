package sample

import (
	"context"
	"fmt"
	"os/exec"
)

const list = "ls "

func archive(ctx context.Context, name string) {
	// ruleid: go-shell-injection
	exec.Command("sh", "-c", fmt.Sprintf("tar cf %s.tar %s", name, name)).Run()
	// ruleid: go-shell-injection
	exec.Command("/bin/bash", "-c", "ls "+name).Run()
	command := fmt.Sprintf("rm %s", name)
	// ruleid: go-shell-injection
	exec.CommandContext(ctx, "bash", "-lc", command).Run()
	// ok: go-shell-injection
	exec.Command("tar", "cf", name+".tar", name).Run()
	// ok: go-shell-injection
	exec.Command("sh", "-c", "ls | wc -l").Run()
	// ok: go-shell-injection
	exec.Command("sh", "-c", list+"| wc -l").Run()
}
