class PaymentsController < ApplicationController
  # ruleid: ruby-csrf-off
  skip_before_action :verify_authenticity_token
end

class OrdersController < ApplicationController
  # ruleid: ruby-csrf-off
  skip_forgery_protection
end

class HooksController < ApplicationController
  # ok: ruby-csrf-off
  skip_before_action :verify_authenticity_token, only: [:receive]
  # ok: ruby-csrf-off
  skip_before_action :require_login
  # ok: ruby-csrf-off
  protect_from_forgery with: :exception
end
