class ProfilesController < ApplicationController
  def show
    @user = current_user
  end

  def update
    user = User.find(params[:id])
    user.update!(params.require(:user).permit!)
    redirect_to profile_path
  end
end
