variable "database_password" {
  type = string
  # ruleid: terraform-secret-default
  default = "opensesame-4711"
}

variable "registry_api_key" {
  # ruleid: terraform-secret-default
  default = "open-sesame-4711"
}

variable "database_user" {
  # ok: terraform-secret-default
  default = "application"
}

variable "admin_password" {
  # ok: terraform-secret-default
  default   = ""
  sensitive = true
}

variable "password_length" {
  # ok: terraform-secret-default
  default = "twenty-four"
}
