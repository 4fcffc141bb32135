resource "aws_ecr_repository" "app" {
  # ruleid: terraform-mutable-tags
  image_tag_mutability = "MUTABLE"
}

resource "aws_ecr_repository" "tool" {
  name = "tool"
  # ruleid: terraform-mutable-tags
  image_tag_mutability = "MUTABLE"
}

resource "aws_ecr_repository" "web" {
  # ok: terraform-mutable-tags
  image_tag_mutability = "IMMUTABLE"
}

resource "aws_ecr_repository" "choice" {
  # ok: terraform-mutable-tags
  image_tag_mutability = var.mutability
}
