def issue(user, letters)
  # ruleid: ruby-random-token
  token = rand(36**12).to_s(36)
  # ruleid: ruby-random-token
  user.reset_code = rand(10**6)
  # ok: ruby-random-token
  token = SecureRandom.urlsafe_base64(20)
  # ok: ruby-random-token
  delay = rand(5)
  # ok: ruby-random-token
  password = letters.sample(random: SecureRandom)
end
