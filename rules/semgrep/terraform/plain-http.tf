resource "aws_cloudfront_distribution" "site" {
  default_cache_behavior {
    # ruleid: terraform-plain-http
    viewer_protocol_policy = "allow-all"
  }
  ordered_cache_behavior {
    # ok: terraform-plain-http
    viewer_protocol_policy = "redirect-to-https"
  }
}

# ruleid: terraform-plain-http
resource "aws_lb_listener" "web" {
  port     = 80
  protocol = "HTTP"
  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.web.arn
  }
}

# ok: terraform-plain-http
resource "aws_lb_listener" "redirect" {
  port     = 80
  protocol = "HTTP"
  default_action {
    type = "redirect"
  }
}
