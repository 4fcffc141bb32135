terraform {
  backend "s3" {
    bucket = "state"
    # ruleid: terraform-state-over-http
    encrypt = false
  }
}

terraform {
  backend "http" {
    # ruleid: terraform-state-over-http
    address = "http://state.internal/shop"
  }
}

terraform {
  backend "http" {
    # ok: terraform-state-over-http
    address = "https://state.internal/shop"
  }
}

terraform {
  backend "s3" {
    # ok: terraform-state-over-http
    encrypt = true
  }
}
