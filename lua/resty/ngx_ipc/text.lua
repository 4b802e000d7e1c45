-- The text of a value of the program, such as an error. It never fails: ngx.log() and
-- tostring() fail for some values, and an error outside a function of the program ends the
-- light thread of all messages of a type.

local pcall = pcall
local type = type
local tostring = tostring

return function (value)
    local ok, text = pcall(tostring, value)

    if ok and type(text) == "string" then
        return text
    end

    return "a " .. type(value) .. " without a text"
end
