resource "aws_lambda_function" "mail" {
  environment {
    variables = {
      # ruleid: terraform-secret-in-function-env
      SMTP_PASSWORD = "opensesame-4711"
      # ruleid: terraform-secret-in-function-env
      API_KEY = "opensesame-4712"
      # ok: terraform-secret-in-function-env
      SMTP_HOST = "mail.internal"
      # ok: terraform-secret-in-function-env
      SECRET = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:mail"
    }
  }
}
