resource "aws_s3_bucket_public_access_block" "files" {
  bucket = aws_s3_bucket.files.id
  # ruleid: terraform-public-access-block-off
  block_public_acls = false
  # ruleid: terraform-public-access-block-off
  restrict_public_buckets = false
  # ok: terraform-public-access-block-off
  block_public_policy = true
  # ok: terraform-public-access-block-off
  ignore_public_acls = var.guarded
}
