resource "null_resource" "seed" {
  provisioner "local-exec" {
    # ruleid: terraform-local-exec-injection
    command = "seed --name ${var.name}"
  }
}

resource "null_resource" "greet" {
  provisioner "local-exec" {
    # ruleid: terraform-local-exec-injection
    command = "greet ${data.external.user.result.name} now"
  }
}

resource "null_resource" "clean" {
  provisioner "local-exec" {
    # ok: terraform-local-exec-injection
    command = "make clean"
  }
}

resource "null_resource" "pass" {
  provisioner "local-exec" {
    # ok: terraform-local-exec-injection
    command = "seed --name \"$NAME\""
    environment = {
      NAME = var.name
    }
  }
}
