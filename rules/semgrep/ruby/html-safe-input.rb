class SearchController < ApplicationController
  def show
    # ruleid: ruby-html-safe-input
    @heading = "Results for <b>#{params[:q]}</b>".html_safe
    term = params[:term]
    # ruleid: ruby-html-safe-input
    @term = view_context.raw(term) || raw(term)
    # ok: ruby-html-safe-input
    @heading = "Results for <b>#{h(params[:q])}</b>".html_safe
    # ok: ruby-html-safe-input
    @note = "<b>Done</b>".html_safe
  end
end
