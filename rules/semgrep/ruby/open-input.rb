require "open-uri"

class PreviewsController < ApplicationController
  def show
    # ruleid: ruby-open-input
    @page = open(params[:url]).read
    target = params[:target].strip
    # ruleid: ruby-open-input
    @more = Kernel.open(target) { |file| file.read }
    # ok: ruby-open-input
    @file = File.open("/srv/pages/index.html")
    # ok: ruby-open-input
    @config = open("config/pages.txt").read
  end
end
