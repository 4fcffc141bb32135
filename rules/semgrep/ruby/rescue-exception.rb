def work(job)
  begin
    job.run
  # ruleid: ruby-rescue-exception
  rescue Exception
    nil
  end
  begin
    job.close
  # ok: ruby-rescue-exception
  rescue StandardError
    nil
  end
end

def clean(job, log)
  job.clean
# ruleid: ruby-rescue-exception
rescue Exception => error
  log.warn(error.message)
end

def fine(job, log)
  job.clean
# ok: ruby-rescue-exception
rescue Exception => error
  log.warn(error.message)
  raise
end
