data "aws_iam_policy_document" "all" {
  # ruleid: terraform-iam-all-actions
  statement {
    effect    = "Allow"
    actions   = ["*"]
    resources = ["*"]
  }
  # ok: terraform-iam-all-actions
  statement {
    actions   = ["s3:GetObject"]
    resources = ["*"]
  }
  # ok: terraform-iam-all-actions
  statement {
    effect    = "Deny"
    actions   = ["*"]
    resources = ["*"]
  }
}

resource "aws_iam_role_policy" "app" {
  policy = jsonencode({
    Statement = [
      # ruleid: terraform-iam-all-actions
      {
        Effect   = "Allow"
        Action   = "*"
        Resource = "*"
      },
      # ok: terraform-iam-all-actions
      {
        Effect   = "Allow"
        Action   = "sqs:SendMessage"
        Resource = "*"
      },
    ]
  })
}
