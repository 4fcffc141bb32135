resource "google_storage_bucket_iam_member" "files" {
  role = "roles/storage.objectViewer"
  # ruleid: terraform-google-public-member
  member = "allUsers"
}

resource "google_project_iam_binding" "view" {
  role = "roles/viewer"
  # ruleid: terraform-google-public-member
  members = ["allAuthenticatedUsers"]
}

resource "google_storage_bucket_iam_member" "app" {
  # ok: terraform-google-public-member
  member = "serviceAccount:app@shop.iam.gserviceaccount.com"
}

resource "google_project_iam_binding" "team" {
  # ok: terraform-google-public-member
  members = ["group:team@internal"]
}
