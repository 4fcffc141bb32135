resource "google_container_cluster" "main" {
  # ruleid: terraform-google-legacy-cluster
  enable_legacy_abac = true
  master_auth {
    client_certificate_config {
      # ruleid: terraform-google-legacy-cluster
      issue_client_certificate = true
    }
  }
}

resource "google_container_cluster" "safe" {
  # ok: terraform-google-legacy-cluster
  enable_legacy_abac = false
  master_auth {
    client_certificate_config {
      # ok: terraform-google-legacy-cluster
      issue_client_certificate = false
    }
  }
}
