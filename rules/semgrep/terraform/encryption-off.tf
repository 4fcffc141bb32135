resource "aws_db_instance" "shop" {
  # ruleid: terraform-encryption-off
  storage_encrypted = false
}

resource "aws_instance" "web" {
  root_block_device {
    # ruleid: terraform-encryption-off
    encrypted = false
  }
}

resource "aws_ebs_volume" "data" {
  # ok: terraform-encryption-off
  encrypted = true
}

resource "aws_sns_topic" "news" {
  # ok: terraform-encryption-off
  encrypted = false
}
