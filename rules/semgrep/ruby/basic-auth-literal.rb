class AdminController < ApplicationController
  # ruleid: ruby-basic-auth-literal
  http_basic_authenticate_with name: "admin", password: "opensesame"
  # ruleid: ruby-basic-auth-literal
  http_basic_authenticate_with(name: ENV["ADMIN"], password: 'letmein', only: :destroy)
  # ok: ruby-basic-auth-literal
  http_basic_authenticate_with name: "admin", password: ENV.fetch("ADMIN_PASSWORD")
  # ok: ruby-basic-auth-literal
  http_basic_authenticate_with name: "admin", password: Rails.application.credentials.admin_password
end
