data "aws_iam_policy_document" "assume" {
  statement {
    actions = ["sts:AssumeRole"]
    # ruleid: terraform-trusts-everybody
    principals {
      type        = "AWS"
      identifiers = ["*"]
    }
  }
  statement {
    actions = ["sts:AssumeRole"]
    # ok: terraform-trusts-everybody
    principals {
      type        = "AWS"
      identifiers = ["arn:aws:iam::123456789012:root"]
    }
  }
  statement {
    effect  = "Deny"
    actions = ["s3:*"]
    # ok: terraform-trusts-everybody
    principals {
      type        = "AWS"
      identifiers = ["*"]
    }
  }
}

resource "aws_iam_role" "app" {
  assume_role_policy = jsonencode({
    Statement = [
      # ruleid: terraform-trusts-everybody
      {
        Effect    = "Allow"
        Action    = "sts:AssumeRole"
        Principal = { AWS = "*" }
      },
    ]
  })
}
