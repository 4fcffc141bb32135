class CartController < ApplicationController
  def show
    # ruleid: ruby-marshal-load-input
    @cart = Marshal.load(Base64.decode64(cookies[:cart]))
    # ruleid: ruby-marshal-load-input
    @state = Marshal.load(params[:state])
    # ok: ruby-marshal-load-input
    @cached = Marshal.load(File.binread("/srv/cache/cart"))
    # ok: ruby-marshal-load-input
    @copy = Marshal.load(Marshal.dump(@cart))
    # ok: ruby-marshal-load-input
    @json = JSON.parse(params[:state])
  end
end
