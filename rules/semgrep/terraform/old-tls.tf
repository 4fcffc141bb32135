resource "azurerm_storage_account" "files" {
  # ruleid: terraform-old-tls
  min_tls_version = "TLS1_0"
}

resource "aws_lb_listener" "web" {
  # ruleid: terraform-old-tls
  ssl_policy = "ELBSecurityPolicy-2016-08"
}

resource "azurerm_storage_account" "inner" {
  # ok: terraform-old-tls
  min_tls_version = "TLS1_2"
}

resource "aws_lb_listener" "api" {
  # ok: terraform-old-tls
  ssl_policy = "ELBSecurityPolicy-TLS13-1-2-2021-06"
}
