resource "aws_instance" "web" {
  metadata_options {
    # ruleid: terraform-metadata-v1
    http_tokens = "optional"
  }
}

resource "aws_launch_template" "web" {
  metadata_options {
    http_endpoint = "enabled"
    # ruleid: terraform-metadata-v1
    http_tokens = "optional"
  }
}

resource "aws_instance" "app" {
  metadata_options {
    # ok: terraform-metadata-v1
    http_tokens = "required"
  }
}

resource "aws_instance" "tool" {
  metadata_options {
    # ok: terraform-metadata-v1
    http_tokens = var.tokens
  }
}
