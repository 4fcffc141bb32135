resource "aws_db_instance" "shop" {
  engine = "postgres"
  # ruleid: terraform-public-database
  publicly_accessible = true
}

resource "aws_redshift_cluster" "reports" {
  # ruleid: terraform-public-database
  publicly_accessible = true
}

resource "aws_db_instance" "inner" {
  # ok: terraform-public-database
  publicly_accessible = false
}

resource "aws_db_instance" "choice" {
  # ok: terraform-public-database
  publicly_accessible = var.public
}
