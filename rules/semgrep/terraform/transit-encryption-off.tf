resource "aws_elasticache_replication_group" "session" {
  # ruleid: terraform-transit-encryption-off
  transit_encryption_enabled = false
}

resource "azurerm_storage_account" "files" {
  # ruleid: terraform-transit-encryption-off
  https_traffic_only_enabled = false
}

resource "azurerm_redis_cache" "session" {
  # ok: terraform-transit-encryption-off
  non_ssl_port_enabled = false
}

resource "azurerm_linux_web_app" "web" {
  # ok: terraform-transit-encryption-off
  https_only = true
}
