class UsersController < ApplicationController
  def create
    # ruleid: ruby-permit-all
    User.create(params.require(:user).permit!)
    # ruleid: ruby-permit-all
    current_user.update(params[:user].to_unsafe_h)
    # ok: ruby-permit-all
    User.create(params.require(:user).permit(:name, :email))
    # ok: ruby-permit-all
    logger.info(params.to_unsafe_h)
  end
end
