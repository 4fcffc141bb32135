resource "aws_db_instance" "shop" {
  username = "shop"
  # ruleid: terraform-secret-literal
  password = "opensesame-4711"
}

provider "aws" {
  # ruleid: terraform-secret-literal
  secret_key = "placehold-er-4711-value"
}

resource "aws_db_instance" "inner" {
  # ok: terraform-secret-literal
  password = var.database_password
}

resource "aws_rds_cluster" "outer" {
  # ok: terraform-secret-literal
  master_password = "${random_password.shop.result}"
}

resource "local_file" "names" {
  # ok: terraform-secret-literal
  content = "password = opensesame"
}
