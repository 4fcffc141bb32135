class FormulasController < ApplicationController
  def show
    # ruleid: ruby-eval-input
    @result = eval(params[:formula])
    # ruleid: ruby-eval-input
    render inline: "<h1>#{params[:title]}</h1>"
    # ruleid: ruby-eval-input
    @page = ERB.new(params[:template]).result
    # ok: ruby-eval-input
    @text = ERB.new(File.read("app/views/mail.erb")).result_with_hash(name: params[:name])
    # ok: ruby-eval-input
    render inline: "<h1><%= params[:title] %></h1>"
  end
end
