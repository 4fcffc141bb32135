resource "google_compute_firewall" "ssh" {
  allow {
    protocol = "tcp"
    ports    = ["22"]
  }
  # ruleid: terraform-google-open-firewall
  source_ranges = ["0.0.0.0/0"]
}

resource "google_compute_firewall" "all" {
  # ruleid: terraform-google-open-firewall
  source_ranges = ["0.0.0.0/0"]
  allow {
    protocol = "all"
  }
}

resource "google_compute_firewall" "web" {
  allow {
    protocol = "tcp"
    ports    = ["443"]
  }
  # ok: terraform-google-open-firewall
  source_ranges = ["0.0.0.0/0"]
}

resource "google_compute_firewall" "inner" {
  allow {
    protocol = "tcp"
    ports    = ["22"]
  }
  # ok: terraform-google-open-firewall
  source_ranges = ["10.0.0.0/8"]
}
