resource "aws_s3_bucket_acl" "files" {
  # ruleid: terraform-public-storage
  acl = "public-read"
}

resource "aws_s3_bucket_acl" "private" {
  # ok: terraform-public-storage
  acl = "private"
}

resource "azurerm_storage_container" "files" {
  # ruleid: terraform-public-storage
  container_access_type = "blob"
}

resource "azurerm_storage_container" "inner" {
  # ok: terraform-public-storage
  container_access_type = "private"
}
