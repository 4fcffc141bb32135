# ruleid: terraform-key-rotation-off
resource "aws_kms_key" "data" {
  description = "data"
}

# ruleid: terraform-key-rotation-off
resource "aws_kms_key" "logs" {
  enable_key_rotation = false
}

# ok: terraform-key-rotation-off
resource "aws_kms_key" "backup" {
  enable_key_rotation = true
}

# ok: terraform-key-rotation-off
resource "aws_kms_key" "signing" {
  customer_master_key_spec = "RSA_2048"
  key_usage                = "SIGN_VERIFY"
}
