resource "aws_s3_bucket_acl" "files" {
  # ruleid: terraform-public-storage
  acl = "public-read"
}

resource "aws_s3_bucket_acl" "private" {
  # ok: terraform-public-storage
  acl = "private"
}
