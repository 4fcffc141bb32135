# ruleid: terraform-secret-output
output "database_password" {
  value = random_password.shop.result
}

# ruleid: terraform-secret-output
output "deployer_secret_access_key" {
  value = aws_iam_access_key.deployer.secret
}

# ok: terraform-secret-output
output "admin_password" {
  value     = random_password.admin.result
  sensitive = true
}

# ok: terraform-secret-output
output "password_length" {
  value = 24
}
