def read(path)
  File.read(path)
ensure
  # ruleid: ruby-ensure-return
  return ""
end

def count(path)
  total = 0
  begin
    total = File.size(path)
  ensure
    path.close
    # ruleid: ruby-ensure-return
    return total
  end
end

def fine(path)
  # ok: ruby-ensure-return
  return File.read(path)
ensure
  puts "done"
end

def other
  # ok: ruby-ensure-return
  return 1
end
